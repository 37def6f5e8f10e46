/* Plugins that behave as badly as they can without touching what is not theirs. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "regent_plugin.h"

static const regent_host *known;

static void sleep_for_ever(void) {
  for (;;) pause();
}

/* Waits until there is a file "release" in the working directory. */
static regent_status held(void *instance, regent_bytes operands, const regent_writer *answer) {
  (void)instance;
  (void)operands;
  while (access("release", F_OK) != 0) usleep(10000);
  regent_write(answer, "true");
  return REGENT_OK;
}

static regent_status huge(void *instance, regent_bytes operands, const regent_writer *answer) {
  (void)instance;
  (void)operands;
  answer->write(answer->context, (const uint8_t *)"1", (size_t)10 << 30);
  return REGENT_OK;
}

static regent_status flood(void *instance, regent_bytes operands, const regent_writer *answer) {
  static uint8_t piece[1 << 20];
  (void)instance;
  (void)operands;
  while (answer->write(answer->context, piece, sizeof piece) == 0) {
  }
  return REGENT_OK;
}

static regent_status garbage(void *instance, regent_bytes operands, const regent_writer *answer) {
  (void)instance;
  (void)operands;
  answer->write(answer->context, (const uint8_t *)"{\"a\": \xff\x00[", 9);
  return REGENT_OK;
}

static regent_status nothing_there(void *instance, regent_bytes operands, const regent_writer *answer) {
  (void)instance;
  (void)operands;
  answer->write(answer->context, NULL, 5);
  return REGENT_OK;
}

static regent_status number(void *instance, regent_bytes operands, const regent_writer *answer) {
  (void)instance;
  (void)operands;
  (void)answer;
  return -12345;
}

/* Calls back, with all that a host has and all that it has not. */
static regent_status calls_back(void *instance, regent_bytes operands, const regent_writer *answer) {
  (void)instance;
  (void)operands;
  regent_bytes lies = { (const uint8_t *)"x", (size_t)10 << 30 };
  regent_bytes null = { NULL, 7 };
  known->log(known, 99, null);
  known->log(known, 1, lies);
  known->report(known, 42, lies);
  known->count(known, lies, 1);
  known->count(known, regent_text("not a name"), 1);
  known->read(known, lies, answer);
  known->read(known, null, NULL);
  known->write(known, regent_text("elsewhere"), regent_text("1"), NULL);
  known->answer(known, 0, null);
  if (known->read(known, regent_text("hostile/read"), answer) != REGENT_OK) return REGENT_FAILED;
  known->write(known, regent_text("hostile/written"), regent_text("[1, 2]"), answer);
  return known->write(known, regent_text("secret"), regent_text("true"), answer) == REGENT_REFUSED ? REGENT_OK
                                                                                                  : REGENT_FAILED;
}

static regent_status keep_host(const regent_host *host, regent_bytes config, void **instance, const regent_writer *error) {
  (void)config;
  (void)error;
  *instance = NULL;
  known = host;
  return REGENT_OK;
}

#define FUNCTION(function, body, make)                                                                            \
  static regent_status function##_describe(const regent_writer *out) {                                            \
    regent_write(out, "{\"declaration\": \"hostile." #function "() => x: any\"}");                                 \
    return REGENT_OK;                                                                                         \
  }                                                                                                           \
  static const regent_builtin function##_functions = { sizeof(regent_builtin), body };                            \
  static const regent_plugin function##_plugin = {                                                                \
    .size = sizeof(regent_plugin), .kind = REGENT_KIND_BUILTIN, .name = REGENT_TEXT("hostile." #function),        \
    .describe = function##_describe, .create = make, .functions = &function##_functions,                              \
  };

FUNCTION(held, held, NULL)
FUNCTION(huge, huge, NULL)
FUNCTION(flood, flood, NULL)
FUNCTION(garbage, garbage, NULL)
FUNCTION(null, nothing_there, NULL)
FUNCTION(number, number, NULL)
FUNCTION(back, calls_back, keep_host)

/* A sink that takes one batch, and never returns from the next one before there is a file "release". */
static regent_status take(void *instance, const regent_bytes *events, size_t count, const regent_writer *error) {
  (void)instance;
  (void)error;
  static int batches;
  if (batches++ > 0) {
    while (access("release", F_OK) != 0) usleep(10000);
  }
  FILE *file = fopen("taken", "a");
  if (file == NULL) return REGENT_UNAVAILABLE;
  for (size_t i = 0; i < count; i++) {
    fwrite(events[i].data, 1, events[i].len, file);
    fputc('\n', file);
  }
  fclose(file);
  return REGENT_OK;
}

static const regent_sink sink_functions = { sizeof sink_functions, take, NULL };
static const regent_plugin sink_plugin = {
  .size = sizeof(regent_plugin), .kind = REGENT_KIND_SINK, .name = REGENT_TEXT("stuck_sink"),
  .functions = &sink_functions,
};

/* A plugin that does not end when told to, and whose thread goes on to ask. */
static const regent_host *stubborn_host;

static void *haunt(void *unused) {
  (void)unused;
  for (;;) {
    usleep(1000);
    stubborn_host->log(stubborn_host, 0, regent_text("still here"));
    stubborn_host->report(stubborn_host, REGENT_STATE_OK, regent_text("still here"));
    stubborn_host->count(stubborn_host, regent_text("haunted_total"), 1);
  }
  return NULL;
}

static regent_status keep_stubborn(const regent_host *host, regent_bytes config, void **instance,
                                   const regent_writer *error) {
  (void)config;
  (void)instance;
  (void)error;
  stubborn_host = host;
  return REGENT_OK;
}

static regent_status haunting(void *instance, const regent_writer *error) {
  (void)instance;
  pthread_t thread;
  if (pthread_create(&thread, NULL, haunt, NULL) != 0) return REGENT_FAILED;
  stubborn_host->report(stubborn_host, REGENT_STATE_OK, regent_text(""));
  while (stubborn_host->next(stubborn_host, 1000, error) != REGENT_SIGNAL_STOP) {
  }
  return REGENT_OK;
}

static regent_status deaf(void *instance, const regent_writer *error) {
  (void)instance;
  (void)error;
  stubborn_host->report(stubborn_host, REGENT_STATE_OK, regent_text(""));
  sleep_for_ever();
  return REGENT_OK;
}

static const regent_managed haunting_functions = { sizeof haunting_functions, haunting };
static const regent_plugin haunting_plugin = {
  .size = sizeof(regent_plugin), .kind = REGENT_KIND_MANAGED, .name = REGENT_TEXT("haunting"),
  .create = keep_stubborn, .functions = &haunting_functions,
};
static const regent_managed deaf_functions = { sizeof deaf_functions, deaf };
static const regent_plugin deaf_plugin = {
  .size = sizeof(regent_plugin), .kind = REGENT_KIND_MANAGED, .name = REGENT_TEXT("deaf"), .create = keep_stubborn,
  .functions = &deaf_functions,
};

static const regent_plugin *const plugins[] = {
  &held_plugin, &huge_plugin, &flood_plugin, &garbage_plugin, &null_plugin, &number_plugin, &back_plugin,
  &sink_plugin, &haunting_plugin, &deaf_plugin,
};
static const regent_library library = {
  .magic = REGENT_MAGIC, .abi_major = REGENT_ABI_MAJOR, .abi_minor = REGENT_ABI_MINOR, .size = sizeof library,
  .name = REGENT_TEXT("hostile"), .version = REGENT_TEXT("1"), .plugins = plugins,
  .plugin_count = sizeof plugins / sizeof plugins[0],
};

const regent_library *regent_plugin_library(void) { return &library; }
