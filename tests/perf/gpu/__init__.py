"""What ``make bench-gpu`` measures."""
