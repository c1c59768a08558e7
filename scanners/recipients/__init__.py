"""Who data is sent to: a catalogue of known organisations and their signatures, and scanners that look for these.

`known/*.yaml` holds the organisations (`organisation.py` says what may stand there), `catalogue.py` looks them up.
"""
