"""Makes what the list of logs is filtered and searched with, in a process of its own, and measures it."""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from logs_clock import stand_still
from logs_database import set_up
from logs_rows import END


def main(database: Path) -> None:
    set_up(database)
    from django.core.management import call_command

    from llm_admin.models import InteractionText
    from llm_admin.services import log_search

    call_command("migrate", verbosity=0)
    stand_still(END)
    texts = InteractionText._base_manager.count()
    began, cpu = time.perf_counter(), time.process_time()
    log_search.index_all()
    answer = {"texts": texts, "seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu,
              "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}  # fmt: skip
    print(json.dumps(answer))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
