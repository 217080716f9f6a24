"""The pipeline's verbs, one file each; their libraries are imported when a verb is called, never for ``--help``."""
