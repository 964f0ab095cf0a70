"""Files: frames in, MP4 out, and what an MP4 tells about itself. No torch, no database."""
