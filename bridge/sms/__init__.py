"""What an SMS is: its alphabets, segments and telephone numbers; pure, and below every room that reads or sends."""
