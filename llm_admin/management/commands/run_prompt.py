from llm_admin.management.running import RunCommand
from llm_admin.services.families import PROMPTS


class Command(RunCommand):
    help = "Runs a prompt; the answer streams to stdout, numbers go to stderr."
    family = PROMPTS
    values_option = "--var"
