/* Libraries that are refused, each for what its macro breaks. */
#include "regent_plugin.h"

#ifndef MAJOR
#define MAJOR REGENT_ABI_MAJOR
#endif
#ifndef MINOR
#define MINOR REGENT_ABI_MINOR
#endif
#ifndef MAGIC
#define MAGIC REGENT_MAGIC
#endif
#ifndef LIBRARY_SIZE
#define LIBRARY_SIZE sizeof library
#endif
#ifndef PLUGIN_SIZE
#define PLUGIN_SIZE sizeof plugin
#endif
#ifndef FUNCTIONS_SIZE
#define FUNCTIONS_SIZE sizeof functions
#endif
#ifndef KIND
#define KIND REGENT_KIND_BUILTIN
#endif
#ifndef NAME
#define NAME "acme.refused"
#endif
#ifndef COUNT
#define COUNT 1
#endif
#ifndef CALL
#define CALL call
#endif
#ifndef FUNCTIONS
#define FUNCTIONS &functions
#endif
#ifndef PLUGIN
#define PLUGIN &plugin
#endif
#ifndef DECLARATION
#define DECLARATION "{\"declaration\": \"acme.refused() => x: any\"}"
#endif
#ifndef CREATE
#define CREATE 0
#endif

static regent_status describe(const regent_writer *out) {
#ifdef HANGS
  for (;;) {
  }
#endif
  regent_write(out, DECLARATION);
  return REGENT_OK;
}

static inline regent_status call(void *instance, regent_bytes operands, const regent_writer *answer) {
  (void)instance;
  (void)operands;
  (void)answer;
  return REGENT_OK;
}

static inline regent_status fails(const regent_host *host, regent_bytes config, void **instance, const regent_writer *error) {
  (void)host;
  (void)config;
  (void)instance;
  regent_write(error, "no licence");
  return REGENT_FAILED;
}

#ifdef UNDEFINED
void not_there(void);
void use_it(void) { not_there(); }
#endif

static const regent_builtin functions = { FUNCTIONS_SIZE, CALL };
static const regent_plugin plugin = {
  .size = PLUGIN_SIZE, .kind = KIND, .name = REGENT_TEXT(NAME), .describe = describe, .create = CREATE,
  .functions = FUNCTIONS,
};
static const regent_plugin *const plugins[] = { PLUGIN, &plugin };
static const regent_library library = {
  .magic = MAGIC, .abi_major = MAJOR, .abi_minor = MINOR, .size = LIBRARY_SIZE, .name = REGENT_TEXT("refused"),
  .version = REGENT_TEXT("1"), .plugins = plugins, .plugin_count = COUNT,
};

#ifdef NO_TABLE
const regent_library *regent_plugin_library(void) { return (void)&library, NULL; }
#elif defined(NO_ENTRY)
REGENT_EXPORT const regent_library *another_name(void) { return &library; }
#else
const regent_library *regent_plugin_library(void) { return &library; }
#endif


