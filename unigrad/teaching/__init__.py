"""Teaching: exercises that check a student's answer by numbers and say what is wrong with it, and a guided tour."""
