# SPDX-License-Identifier: Apache-2.0
"""What varve is built with: canonical archives, pinned by SHA-256.

A project that embeds varve calls varve_dependencies() after its own
declarations: a repository that is already there under one of these names wins.
"""

load("@bazel_tools//tools/build_defs/repo:http.bzl", "http_archive")

# name -> attributes of the http_archive that declares it.
_ARCHIVES = {
    # The library itself needs this one alone.
    "com_google_absl": dict(
        sha256 = "f50e5ac311a81382da7fa75b97310e4b9006474f9560ac46f54a9967f07d4ae3",
        strip_prefix = "abseil-cpp-20240722.0",
        urls = ["https://github.com/abseil/abseil-cpp/releases/download/20240722.0/abseil-cpp-20240722.0.tar.gz"],
    ),
    # The command line.
    "cli11": dict(
        build_file = "@varve//third_party:cli11.BUILD",
        sha256 = "73b7ec52261ce8fe980a29df6b4ceb66243bb0b779451dbd3d014cfec9fdbb58",
        strip_prefix = "CLI11-2.4.1",
        urls = ["https://github.com/CLIUtils/CLI11/archive/refs/tags/v2.4.1.tar.gz"],
    ),
    "nlohmann_json": dict(
        build_file = "@varve//third_party:nlohmann_json.BUILD",
        sha256 = "0d8ef5af7f9794e3263480193c491549b2ba6cc74bb018906202ada498a79406",
        strip_prefix = "json-3.11.3",
        urls = ["https://github.com/nlohmann/json/archive/refs/tags/v3.11.3.tar.gz"],
    ),
    # The codecs: each is linked only by what depends on its target in codec/.
    "lz4": dict(
        build_file = "@varve//third_party:lz4.BUILD",
        sha256 = "537512904744b35e232912055ccf8ec66d768639ff3abe5788d90d792ec5f48b",
        strip_prefix = "lz4-1.10.0",
        urls = ["https://github.com/lz4/lz4/releases/download/v1.10.0/lz4-1.10.0.tar.gz"],
    ),
    "snappy": dict(
        build_file = "@varve//third_party:snappy.BUILD",
        sha256 = "90f74bc1fbf78a6c56b3c4a082a05103b3a56bb17bca1a27e052ea11723292dc",
        strip_prefix = "snappy-1.2.2",
        urls = ["https://github.com/google/snappy/archive/refs/tags/1.2.2.tar.gz"],
    ),
    "zlib": dict(
        build_file = "@varve//third_party:zlib.BUILD",
        sha256 = "9a93b2b7dfdac77ceba5a558a580e74667dd6fede4585b91eefb60f03b72df23",
        strip_prefix = "zlib-1.3.1",
        urls = ["https://github.com/madler/zlib/releases/download/v1.3.1/zlib-1.3.1.tar.gz"],
    ),
    "zstd": dict(
        build_file = "@varve//third_party:zstd.BUILD",
        sha256 = "eb33e51f49a15e023950cd7825ca74a4a2b43db8354825ac24fc1b7ee09e6fa3",
        strip_prefix = "zstd-1.5.7",
        urls = ["https://github.com/facebook/zstd/releases/download/v1.5.7/zstd-1.5.7.tar.gz"],
    ),
    # Tests and benchmarks.
    "com_google_googletest": dict(
        sha256 = "78c676fc63881529bf97bf9d45948d905a66833fbfa5318ea2cd7478cb98f399",
        strip_prefix = "googletest-1.16.0",
        urls = ["https://github.com/google/googletest/releases/download/v1.16.0/googletest-1.16.0.tar.gz"],
    ),
    "com_github_google_benchmark": dict(
        sha256 = "6430e4092653380d9dc4ccb45a1e2dc9259d581f4866dc0759713126056bc1d7",
        strip_prefix = "benchmark-1.7.1",
        urls = ["https://github.com/google/benchmark/archive/refs/tags/v1.7.1.tar.gz"],
    ),
    # Rules that the above load.
    "bazel_skylib": dict(
        sha256 = "cd55a062e763b9349921f0f5db8c3933288dc8ba4f76dd9416aac68acee3cb94",
        urls = ["https://github.com/bazelbuild/bazel-skylib/releases/download/1.5.0/bazel-skylib-1.5.0.tar.gz"],
    ),
    "platforms": dict(
        sha256 = "218efe8ee736d26a3572663b374a253c012b716d8af0c07e842e82f238a0a7ee",
        urls = ["https://github.com/bazelbuild/platforms/releases/download/0.0.10/platforms-0.0.10.tar.gz"],
    ),
    "rules_cc": dict(
        sha256 = "2037875b9a4456dce4a79d112a8ae885bbc4aad968e6587dca6e64f3a0900cdf",
        strip_prefix = "rules_cc-0.0.9",
        urls = ["https://github.com/bazelbuild/rules_cc/releases/download/0.0.9/rules_cc-0.0.9.tar.gz"],
    ),
}

def varve_dependencies():
    """Declares every archive above that has no repository of its name yet."""
    for name, attributes in _ARCHIVES.items():
        if not native.existing_rule(name):
            http_archive(name = name, **attributes)
