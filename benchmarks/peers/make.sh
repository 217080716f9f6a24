#!/bin/sh
# The peers that benchmarks/graph.py measures beside attar, each in an environment of its own.
#
#     benchmarks/peers/make.sh [PLACE]     # by default .peers; a minute, and ten more to compile llama.cpp
#
# Their packages disagree with attar's: the builder of onnxruntime-genai needs transformers 5.
set -eu
place=${1:-.peers}
python=${PYTHON:-python3}

"$python" -m venv "$place/genai"
"$place/genai/bin/pip" install -q onnxruntime-genai==0.18.0 onnxruntime==1.32.0 onnx onnx-ir \
    'torch>=2.10,<2.14' 'transformers>=5,<6'

# No wheel is published. Its default build fails on CPUs with AMX at the first token, hence the options.
"$python" -m venv "$place/llama"
flags="-DGGML_NATIVE=OFF -DGGML_AVX2=ON -DGGML_FMA=ON -DGGML_F16C=ON -DGGML_BMI2=ON"
if grep -q avx512_vnni /proc/cpuinfo; then
    flags="$flags -DGGML_AVX512=ON -DGGML_AVX512_VNNI=ON -DGGML_AVX512_VBMI=ON"
fi
CMAKE_ARGS="$flags" "$place/llama/bin/pip" install -q llama-cpp-python==0.3.36 gguf safetensors numpy ||
    echo 'llama-cpp-python does not build here; it is left out' >&2
