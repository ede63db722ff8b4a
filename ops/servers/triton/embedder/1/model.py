"""Numbers that follow from the text, so that they can be checked."""

import numpy as np
import triton_python_backend_utils as pb


class TritonPythonModel:
    def execute(self, requests):
        return [self.answer(request) for request in requests]

    def answer(self, request):
        texts = [text.decode() for text in pb.get_input_tensor_by_name(request, "TEXT").as_numpy().flatten()]
        if "raise" in texts:
            raise ValueError("the model fails")
        if "refuse" in texts:
            return pb.InferenceResponse(error=pb.TritonError("the model takes no such text", pb.TritonError.INVALID_ARG))
        first = [np.nan if text == "nan" else len(text) for text in texts]
        return pb.InferenceResponse(
            output_tensors=[
                pb.Tensor("VECTOR", np.array([[each, 0.1, -1.5e-10, 3e8] for each in first], dtype=np.float32)),
                pb.Tensor("DOUBLES", np.array([[len(text), 1e-300] for text in texts], dtype=np.float64)),
                pb.Tensor("HALVES", np.array([[len(text), 0.5] for text in texts], dtype=np.float16)),
                pb.Tensor("LENGTH", np.array([[len(text)] for text in texts], dtype=np.int64)),
                pb.Tensor("UPPER", np.array([[text.upper().encode()] for text in texts], dtype=np.object_)),
            ]
        )
