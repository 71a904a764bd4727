# Upstream's image with exactly the versions that the tests ran with. dags, plugins and include are mounted
# read-only by docker-compose.yaml, so that a change of theirs needs no build.
FROM apache/airflow:3.3.2

COPY requirements.lock /requirements.lock
# pip leaves what upstream's image has on top (other clouds' providers) alone; the lock decides all it names,
# the Celery and FAB providers among them.
RUN pip install --no-cache-dir --requirement /requirements.lock
