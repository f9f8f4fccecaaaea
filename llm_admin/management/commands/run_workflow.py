from llm_admin.management.running import RunCommand
from llm_admin.services.families import WORKFLOWS


class Command(RunCommand):
    help = "Runs a workflow; the answer streams to stdout, numbers go to stderr."
    family = WORKFLOWS
    values_option = "--input"
