"""What the estate's tables hold: made-up people and everything that follows from them, the same for the same seed.

Nothing here can reach or be mistaken for a real person: e-mail domains are reserved ones (RFC 2606), addresses of the
internet are documentation ranges (RFC 5737, RFC 3849), telephone numbers are 555-01xx, social insurance numbers begin
with 0 (never issued to a person), payment cards are the networks' published test numbers, and API keys have a prefix of
our own that no vendor uses.
"""
