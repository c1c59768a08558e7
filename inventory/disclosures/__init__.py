"""The register of disclosures: what was handed to an authority or another recipient, once, by a person's decision."""
