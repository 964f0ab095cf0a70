"""Stories as data: what one is, how it is edited, what a film of it needs. No jobs, no browser, no torch."""
