"""Three prompts as Avro through a schema registry, and what came of each. Usage: prompts_avro.py BOOTSTRAP REGISTRY_URL"""

import pathlib
import sys
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext

bootstrap, registry_url = sys.argv[1:]
schema = (pathlib.Path(__file__).parents[3] / "schemas/src/main/avro/prompt-request.avsc").read_text()
registry = SchemaRegistryClient({"url": registry_url})
serialize = AvroSerializer(registry, schema)
deserialize = AvroDeserializer(registry)  # with the schema that each answer was written with

# Stand at the ends of both topics before anything is sent: no answer is missed.
consumer = Consumer({
    "bootstrap.servers": bootstrap,
    "group.id": f"quickstart-{uuid.uuid4()}",  # asked for by the client; nothing is committed under it
    "enable.auto.commit": False,
    "isolation.level": "read_committed",
})
ends = []
for topic in ("millrace.results", "millrace.failures"):
    for partition in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
        end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)[1]
        ends.append(TopicPartition(topic, partition, end))
consumer.assign(ends)

waiting = {}
producer = Producer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
for things in ("rivers", "towns", "trees"):
    request_id = str(uuid.uuid4())
    prompt = {"request_id": request_id, "prompt": f"Name three {things}.", "max_tokens": 40, "temperature": 0.0}
    value = serialize(prompt, SerializationContext("millrace.prompts", MessageField.VALUE))
    producer.produce("millrace.prompts", key=request_id, value=value)
    waiting[request_id] = prompt["prompt"]
if producer.flush(30) > 0:
    sys.exit("Kafka did not take all prompts")

while waiting:
    record = consumer.poll(120)
    if record is None:
        sys.exit(f"no answer within two minutes to {list(waiting.values())}")
    if record.error():
        sys.exit(str(record.error()))
    answer = deserialize(record.value(), SerializationContext(record.topic(), MessageField.VALUE))
    if prompt := waiting.pop(answer["request_id"], None):
        print(f"{prompt} {answer.get('text', answer.get('message'))}")
consumer.close()
