import datetime
import logging

import azure.functions as func

app = func.FunctionApp()


@app.function_name(name="mytimer")
@app.timer_trigger(schedule="0 */5 * * * *", arg_name="mytimer", run_on_startup=True)
def mytimer_function(mytimer: func.TimerRequest) -> None:
    now = datetime.datetime.now(datetime.UTC).isoformat()
    if mytimer.past_due:
        logging.info("The timer is past due!")
    logging.info("Python timer trigger function ran at %s", now)
