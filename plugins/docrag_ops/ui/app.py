"""The web application: one page per run, behind Airflow's own login and rights.

`GetUserDep` and its kin are imported at the top: FastAPI reads annotations at module level, and would take a user
that it cannot resolve for a query parameter, which anybody could set.
"""

from typing import Annotated

from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import requires_access_dag, requires_authenticated
from fastapi import Depends, FastAPI, Path
from fastapi.responses import HTMLResponse

from docrag_ops.ui.run_page import run_page

HEADERS = {
    # No script runs here, whatever the evidence holds; the page is only ever framed by Airflow itself.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def create_app() -> FastAPI:
    """The application; without a valid login nothing of it answers."""
    app = FastAPI(
        dependencies=[Depends(requires_authenticated())], docs_url=None, redoc_url=None, openapi_url=None
    )

    @app.get(
        "/runs/{dag_id}/{run_id:path}",
        response_class=HTMLResponse,
        dependencies=[Depends(requires_access_dag("GET", DagAccessEntity.XCOM))],
    )
    def show_run(dag_id: Annotated[str, Path()], run_id: Annotated[str, Path()]) -> HTMLResponse:
        """The report of one run."""
        status, page = run_page(dag_id, run_id)
        return HTMLResponse(page, status_code=status, headers=HEADERS)

    return app
