"""Three prompts as JSON, and what came of each. Usage: prompts.py BOOTSTRAP"""

import json
import sys
import uuid

from confluent_kafka import Consumer, Producer, TopicPartition

bootstrap = sys.argv[1]

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
    prompt = {"request_id": request_id, "prompt": f"Name three {things}.", "max_tokens": 40, "temperature": 0}
    producer.produce("millrace.prompts", key=request_id, value=json.dumps(prompt))
    waiting[request_id] = prompt["prompt"]
if producer.flush(30) > 0:
    sys.exit("Kafka did not take all prompts")

while waiting:
    record = consumer.poll(120)
    if record is None:
        sys.exit(f"no answer within two minutes to {list(waiting.values())}")
    if record.error():
        sys.exit(str(record.error()))
    answer = json.loads(record.value())
    if prompt := waiting.pop(answer["request_id"], None):
        print(f"{prompt} {answer.get('text', answer.get('message'))}")
consumer.close()
