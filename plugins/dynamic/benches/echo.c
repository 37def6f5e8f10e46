/* Functions that give back their operand, for measuring what a call costs. */
#include "regent_plugin.h"

/* The operand without the brackets around it. */
static regent_status call(void *instance, regent_bytes operands, const regent_writer *answer) {
  (void)instance;
  answer->write(answer->context, operands.data + 1, operands.len - 2);
  return REGENT_OK;
}

static regent_status describe_inline(const regent_writer *out) {
  regent_write(out, "{\"declaration\": \"bench.inline(x: any) => y: any\"}");
  return REGENT_OK;
}

static regent_status describe_threads(const regent_writer *out) {
  regent_write(out, "{\"declaration\": \"bench.threads(x: any) => y: any\"}");
  return REGENT_OK;
}

static const regent_builtin functions = { sizeof functions, call };
static const regent_plugin on_thread = {
  .size = sizeof on_thread, .kind = REGENT_KIND_BUILTIN, .name = REGENT_TEXT("bench.threads"),
  .describe = describe_threads, .functions = &functions,
};
static const regent_plugin in_line = {
  .size = sizeof in_line, .kind = REGENT_KIND_BUILTIN, .flags = REGENT_INLINE, .name = REGENT_TEXT("bench.inline"),
  .describe = describe_inline, .functions = &functions,
};
static const regent_plugin *const plugins[] = { &on_thread, &in_line };
static const regent_library library = {
  .magic = REGENT_MAGIC, .abi_major = REGENT_ABI_MAJOR, .abi_minor = REGENT_ABI_MINOR, .size = sizeof library,
  .name = REGENT_TEXT("bench"), .version = REGENT_TEXT("1"), .plugins = plugins, .plugin_count = 2,
};

const regent_library *regent_plugin_library(void) { return &library; }
