/*
 * A sink of decisions, in C: appends each event as a line to a file.
 *
 *   cc -shared -fPIC -I INCLUDE -o libline_file.so line_file.c
 *
 *   decision_logs: {plugin: line_file}
 *   plugins: {line_file: {path: decisions.jsonl}}
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "regent_plugin.h"

typedef struct {
  const regent_host *host;
  char path[4096];
  FILE *file; /* opened by the first write */
} sink;

/* The string under "path", which is all that this sink is configured with. A program with more to read would take a
 * library for JSON. Returns 0 if there is none, or one with an escape in it. */
static int read_path(regent_bytes config, char *path, size_t room) {
  static const char key[] = "\"path\":\"";
  const char *text = (const char *)config.data;
  for (size_t at = 0; at + sizeof key - 1 < config.len; at++) {
    if (memcmp(text + at, key, sizeof key - 1) != 0) continue;
    const char *begin = text + at + sizeof key - 1;
    const char *end = memchr(begin, '"', config.len - (size_t)(begin - text));
    size_t len = end == NULL ? 0 : (size_t)(end - begin);
    if (len == 0 || len >= room || memchr(begin, '\\', len) != NULL) return 0;
    memcpy(path, begin, len);
    path[len] = '\0';
    return 1;
  }
  return 0;
}

static regent_status check(regent_bytes config, const regent_writer *errors) {
  char path[sizeof(((sink *)0)->path)];
  if (!read_path(config, path, sizeof path)) {
    regent_write(errors, "[{\"key\": \"path\", \"message\": \"must be the name of a file\"}]");
  }
  return REGENT_OK;
}

static regent_status create(const regent_host *host, regent_bytes config, void **instance, const regent_writer *error) {
  sink *self = calloc(1, sizeof *self);
  if (self == NULL || !read_path(config, self->path, sizeof self->path)) {
    free(self);
    regent_write(error, "there is no memory, or no path");
    return REGENT_FAILED;
  }
  self->host = host;
  *instance = self;
  return REGENT_OK;
}

/* Says what the system says. REGENT_UNAVAILABLE has the agent offer the same events again. */
static regent_status failed(const regent_writer *error) {
  regent_write(error, strerror(errno));
  return REGENT_UNAVAILABLE;
}

static regent_status write_events(void *instance, const regent_bytes *events, size_t count, const regent_writer *error) {
  sink *self = instance;
  if (self->file == NULL && (self->file = fopen(self->path, "a")) == NULL) return failed(error);
  for (size_t i = 0; i < count; i++) {
    if (fwrite(events[i].data, 1, events[i].len, self->file) != events[i].len) return failed(error);
    if (fputc('\n', self->file) == EOF) return failed(error);
  }
  if (fflush(self->file) != 0) return failed(error);
  self->host->count(self->host, regent_text("line_file_events_total"), count);
  return REGENT_OK;
}

static regent_status close_file(void *instance, const regent_writer *error) {
  sink *self = instance;
  FILE *file = self->file;
  self->file = NULL;
  return file == NULL || fclose(file) == 0 ? REGENT_OK : failed(error);
}

static void destroy(void *instance) {
  sink *self = instance;
  if (self->file != NULL) fclose(self->file);
  free(self);
}

static const regent_sink functions = { sizeof functions, write_events, close_file };

static const regent_plugin line_file = {
  .size = sizeof line_file,
  .kind = REGENT_KIND_SINK,
  .name = REGENT_TEXT("line_file"),
  .check = check,
  .create = create,
  .destroy = destroy,
  .functions = &functions,
};

static const regent_plugin *const plugins[] = { &line_file };

static const regent_library library = {
  .magic = REGENT_MAGIC,
  .abi_major = REGENT_ABI_MAJOR,
  .abi_minor = REGENT_ABI_MINOR,
  .size = sizeof library,
  .name = REGENT_TEXT("line-file"),
  .version = REGENT_TEXT("1.0.0"),
  .plugins = plugins,
  .plugin_count = 1,
};

const regent_library *regent_plugin_library(void) { return &library; }
