"""Trust: what is made here is checked, labelled, signed and can be traced."""
