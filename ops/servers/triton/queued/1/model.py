"""Works on a request for as long as the file that its text names is there, so that a test says when it ends."""

import os
import time

import numpy as np
import triton_python_backend_utils as pb


class TritonPythonModel:
    def execute(self, requests):
        responses = []
        for request in requests:
            text = pb.get_input_tensor_by_name(request, "TEXT").as_numpy()[0].decode()
            while text.startswith("/") and os.path.exists(text):
                time.sleep(0.01)
            upper = pb.Tensor("UPPER", np.array([text.upper().encode()], dtype=np.object_))
            responses.append(pb.InferenceResponse(output_tensors=[upper]))
        return responses
