"""The runtime's verbs, one file each."""
