"""Review rooms: what is shared by a link, what guests say of it, and the small web app they see."""
