"""Detection of personal data in columns: values in, profile and verdict out.

    from scanners.detection import ColumnDetector
    detection = ColumnDetector().table(context)

See `interface.py` for what goes in and what comes out, and `catalogue.py` for how to add a detector.
"""

from scanners.detection.detector import ColumnDetector, Review

__all__ = ["ColumnDetector", "Review"]
