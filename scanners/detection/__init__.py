"""Detection: values in, profile and verdict out. Usable on its own, without any scanner or server.

The interface of this package is `scanners.detection.interface`; the rest is how it is done.
"""
