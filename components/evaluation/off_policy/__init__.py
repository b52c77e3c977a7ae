"""What a policy would have been worth, judged on logs of another policy that show few of the answers."""
