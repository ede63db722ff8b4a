"""KServe's model server with two models: server.py PORT.

embedder answers with numbers that follow from the text; slow works for as long as the file that its text names is there.
"""

import asyncio
import os
import sys

import numpy as np
from kserve import InferOutput, InferRequest, InferResponse, Model, ModelServer
from kserve.errors import InvalidInput


class Text(Model):
    """Takes one text in the tensor TEXT, and says what is wrong with others as KServe's own runtimes do."""

    def __init__(self, name):
        super().__init__(name)
        self.ready = True

    async def predict(self, request: InferRequest, headers=None, response_headers=None):
        tensor = request.inputs[0]
        if tensor.name != "TEXT" or tensor.datatype != "BYTES":
            raise InvalidInput(f"expected BYTES in TEXT but got {tensor.datatype} in {tensor.name}")
        text = str(np.array(tensor.data).flatten()[0])
        if text == "raise":
            raise ValueError("the model fails")
        if text.startswith("/"):
            await self.hold(text)
        vector = InferOutput("VECTOR", [1, 4], "FP32")
        vector.set_data_from_numpy(np.array([[len(text), 0.1, -1.5e-10, 3e8]], dtype=np.float32), binary_data=False)
        upper = InferOutput("UPPER", [1, 1], "BYTES")
        upper.set_data_from_numpy(np.array([[text.upper()]], dtype=np.object_), binary_data=False)
        return InferResponse(
            response_id=request.id or "", model_name=self.name, model_version="7", infer_outputs=[vector, upper]
        )

    @staticmethod
    async def hold(path):
        """Meanwhile there is a file PATH.held."""
        held = path + ".held"
        open(held, "w").close()
        try:
            while os.path.exists(path):
                await asyncio.sleep(0.01)
        finally:
            if os.path.exists(held):
                os.remove(held)


if __name__ == "__main__":
    ModelServer(http_port=int(sys.argv[1]), enable_grpc=False).start([Text("embedder"), Text("slow")])
