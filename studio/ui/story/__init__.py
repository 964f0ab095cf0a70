"""The tab Story: a text becomes shots, shots become a film. story.js puts the HTML made here in place."""
