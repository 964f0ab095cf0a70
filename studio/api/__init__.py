"""What programs ask for: answers as JSON, with the rights of the cookies that come along."""
