# The page and the HTTP interface on port 7860; flagged pictures are kept in the volume /flagged.
#   docker build -t digits .
#   docker run -p 127.0.0.1:7860:7860 -e DIGITS_PASSWORD=... -v flagged:/flagged digits
#   docker run -i digits predict - < 7.png
FROM python:3.11-slim

WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt
RUN useradd --create-home digits && install --directory --owner digits /flagged
COPY digits ./digits

USER digits
VOLUME /flagged
EXPOSE 7860
# Nothing is fetched while it runs; what is logged goes to the container's log.
ENV PYTHONUNBUFFERED=1 HF_HUB_OFFLINE=1 GRADIO_ANALYTICS_ENABLED=False DIGITS_LOG=1
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python", "-m", "digits.web.health"]
ENTRYPOINT ["python", "-m", "digits"]
CMD ["serve", "--host", "0.0.0.0", "--flagged", "/flagged"]
