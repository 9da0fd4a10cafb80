"""What providers tell later: stored once, applied in any order."""
