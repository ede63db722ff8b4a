"""Says the prompt's words again and again, one a token: what it says, costs and hears is known. The prompt "counts" is answered with what
it has done and does."""

import json
import threading
import time

import numpy as np
import triton_python_backend_utils as pb

MOST = 16
FINAL = pb.TRITONSERVER_RESPONSE_COMPLETE_FINAL


class TritonPythonModel:
    def initialize(self, args):
        # not Triton's own kind of metrics: Triton 2.51 dies where threads count with them
        self.lock = threading.Lock()
        self.counts = {"started": 0, "tokens": 0, "running": 0}

    def count(self, name, more):
        with self.lock:
            self.counts[name] += more

    def execute(self, requests):
        for request in requests:
            tensor = pb.get_input_tensor_by_name(request, "text_input")
            if tensor.as_numpy()[0] == b"counts":
                with self.lock:
                    text = np.array([json.dumps(self.counts).encode()], dtype=np.object_)
                response = pb.InferenceResponse(output_tensors=[pb.Tensor("text_output", text)])
                request.get_response_sender().send(response, flags=FINAL)
                continue
            threading.Thread(target=self.answer, args=(request,), daemon=True).start()

    def answer(self, request):
        sender = request.get_response_sender()
        self.count("started", 1)
        self.count("running", 1)
        try:
            self.generate(request, sender)
        except Exception as e:  # as the vLLM backend does
            error = pb.TritonError(f"Error generating stream: {e}")
            sender.send(pb.InferenceResponse(error=error), flags=FINAL)
        finally:
            self.count("running", -1)

    def generate(self, request, sender):
        def given(name, default):
            tensor = pb.get_input_tensor_by_name(request, name)
            return default if tensor is None else tensor.as_numpy().flatten()[0]

        prompt = given("text_input", b"").decode()
        parameters = json.loads(request.parameters() or "{}")
        if prompt == "parameters":  # says what it was given
            prompt = json.dumps(parameters, sort_keys=True, separators=(",", ":"))
        words = prompt.split()
        stream = bool(given("stream", False))
        most = int(parameters.get("max_tokens", MOST))
        delay = float(given("delay_ms", 0)) / 1000
        text = "" if given("exclude_input_in_output", stream) else prompt
        for i in range(most):
            if sender.is_cancelled():
                error = pb.TritonError("cancelled", pb.TritonError.CANCELLED)
                sender.send(pb.InferenceResponse(error=error), flags=FINAL)
                return
            word = words[i % len(words)]
            if word == "raise":
                raise ValueError("the model fails at its token " + str(i))
            time.sleep(delay)
            self.count("tokens", 1)
            token = word if i == 0 and not text else " " + word
            if stream:
                self.send(sender, given, token, "length" if i == most - 1 else "None", len(words), 1)
            else:
                text += token
        if not stream:
            self.send(sender, given, text, "length", len(words), most)
        sender.send(flags=FINAL)

    def send(self, sender, given, text, finish_reason, prompt_tokens, tokens):
        tensors = [pb.Tensor("text_output", np.array([text.encode()], dtype=np.object_))]
        if given("return_finish_reason", False):
            tensors.append(pb.Tensor("finish_reason", np.array([finish_reason.encode()], dtype=np.object_)))
        if given("return_num_input_tokens", False):
            tensors.append(pb.Tensor("num_input_tokens", np.array([prompt_tokens], dtype=np.uint32)))
        if given("return_num_output_tokens", False):
            tensors.append(pb.Tensor("num_output_tokens", np.array([tokens], dtype=np.uint32)))
        sender.send(pb.InferenceResponse(output_tensors=tensors))
