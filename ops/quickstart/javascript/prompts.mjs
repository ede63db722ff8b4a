// Three prompts as JSON, and what came of each. Usage: prompts.mjs BOOTSTRAP
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import {
  Consumer, FetchIsolationLevels, jsonDeserializer, jsonSerializer, MessagesStreamModes, Producer, stringDeserializer, stringSerializer
} from '@platformatic/kafka'

const bootstrapBrokers = [process.argv[2]]

// Stand at the ends of both topics before anything is sent: no answer is missed.
const consumer = new Consumer({
  clientId: 'quickstart',
  groupId: `quickstart-${randomUUID()}`, // asked for by the client; nothing is committed under it
  bootstrapBrokers,
  deserializers: { key: stringDeserializer, value: jsonDeserializer, headerKey: stringDeserializer, headerValue: stringDeserializer }
})
const answers = await consumer.consume({
  topics: ['millrace.results', 'millrace.failures'],
  mode: MessagesStreamModes.LATEST,
  isolationLevel: FetchIsolationLevels.READ_COMMITTED,
  autocommit: false
})
await once(answers, 'offsets')

const producer = new Producer({
  clientId: 'quickstart',
  bootstrapBrokers,
  idempotent: true,
  serializers: { key: stringSerializer, value: jsonSerializer, headerKey: stringSerializer, headerValue: stringSerializer }
})
const waiting = new Map()
for (const things of ['rivers', 'towns', 'trees']) {
  const prompt = { request_id: randomUUID(), prompt: `Name three ${things}.`, max_tokens: 40, temperature: 0 }
  await producer.send({ messages: [{ topic: 'millrace.prompts', key: prompt.request_id, value: prompt }] })
  waiting.set(prompt.request_id, prompt.prompt)
}

for await (const { value: answer } of answers) {
  if (waiting.has(answer.request_id)) {
    console.log(`${waiting.get(answer.request_id)} ${answer.text ?? answer.message}`)
    waiting.delete(answer.request_id)
    if (waiting.size === 0) break
  }
}
await producer.close()
await consumer.close(true)
