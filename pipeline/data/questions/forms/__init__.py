"""The surface forms of question kinds: plain content, a module for each module of kinds.

A form is a sentence, or a layout, with slots that its kind fills. Forms of the split "train" differ in how they are
built, so that a student learns to read and not to recognize; those of "test" share none of them. New ones are added
at the end: a sample names its form by number. Does not know how slots are filled.
"""
