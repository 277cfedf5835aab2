"""What an SMS is: alphabets, segments and telephone numbers."""
