// A function of Rego in C++ that throws.
#include <stdexcept>
#include <string>

#include "regent_plugin.h"

namespace {

regent_status describe(const regent_writer *out) {
  regent_write(out, "{\"declaration\": \"acme.throws(x: string) => y: string\"}");
  return REGENT_OK;
}

regent_status call(void *, regent_bytes operands, const regent_writer *answer) {
  return regent_guard(answer, [&]() -> regent_status {
    std::string text(reinterpret_cast<const char *>(operands.data), operands.len);
    if (text == "[\"text\"]") throw std::runtime_error("thrown on purpose");
    if (text == "[\"number\"]") throw 5;
    regent_write(answer, "\"fine\"");
    return REGENT_OK;
  });
}

const regent_builtin functions = { sizeof functions, call };
const regent_plugin plugin = {
  sizeof plugin, REGENT_KIND_BUILTIN, 0, REGENT_TEXT("acme.throws"), describe, nullptr, nullptr, nullptr, &functions,
};
const regent_plugin *const plugins[] = { &plugin };
const regent_library library = {
  REGENT_MAGIC, REGENT_ABI_MAJOR, REGENT_ABI_MINOR, 0, sizeof library, REGENT_TEXT("throws"), REGENT_TEXT("1"), plugins, 1,
};

}  // namespace

extern "C" const regent_library *regent_plugin_library(void) { return &library; }
