FROM python:3.13-slim AS build
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY migrate migrate
COPY mappings mappings
RUN python -m venv /opt/migrate && /opt/migrate/bin/pip install --no-cache-dir '.[avro,cloud]'

FROM python:3.13-slim
COPY --from=build /opt/migrate /opt/migrate
ENV PATH=/opt/migrate/bin:$PATH
RUN useradd --uid 10001 --create-home migrate && install --directory --owner migrate --group migrate /data
USER 10001
# The configuration file, the exports and the workdir.
WORKDIR /data
VOLUME /data
ENTRYPOINT ["migrate"]
