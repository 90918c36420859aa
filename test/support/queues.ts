import { connect } from 'amqplib'
import { password } from './containers.ts'

/** The AMQP address of the broker as its admin. */
export function adminUrl(rabbitmqUrl: string): string {
  const url = new URL(rabbitmqUrl)
  url.username = 'admin'
  url.password = password
  return url.href
}

/** Empties a queue and returns its parsed messages. */
export async function takeAll(rabbitmqUrl: string, queue: string): Promise<Record<string, unknown>[]> {
  const connection = await connect(adminUrl(rabbitmqUrl))
  const channel = await connection.createChannel()
  const messages: Record<string, unknown>[] = []
  for (let message = await channel.get(queue); message; message = await channel.get(queue)) {
    messages.push(JSON.parse(message.content.toString()))
    channel.ack(message)
  }
  await channel.close()
  await connection.close()
  return messages
}
