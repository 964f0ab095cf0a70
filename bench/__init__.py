"""Speed and memory as ratios and differences of interleaved runs; never timed tests: machines are noisy."""
