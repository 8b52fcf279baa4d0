/**
 * The port of the local server: which one, and whether it is free on 127.0.0.1.
 */

import { once } from "node:events";
import { connect, createServer } from "node:net";
import { Refusal } from "./command.ts";

const DEFAULT_PORT = 8787;
const MAX_PORT = 65_535;
export const HOST = "127.0.0.1";

export function readPort(text: string | undefined): number {
  if (text === undefined || text === "") return DEFAULT_PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > MAX_PORT) {
    throw new Refusal(`PORT must be a number from 1 to ${MAX_PORT}, and "${text}" is not one.`);
  }
  return port;
}

export async function requireFreePort(port: number): Promise<void> {
  // Binding alone does not tell on macOS, where a server on all addresses leaves each single one free to bind.
  if ((await answers(port)) || (await bindFailure(port)) === "EADDRINUSE") {
    const other = port === MAX_PORT ? DEFAULT_PORT : port + 1;
    throw new Refusal(`Port ${port} is taken. Stop what uses it, or run PORT=${other} npm start.`);
  }
  const failure = await bindFailure(port);
  if (failure !== null) throw new Refusal(`Port ${port} cannot be used here (${failure}).`);
}

async function answers(port: number): Promise<boolean> {
  const socket = connect({ port, host: HOST });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function bindFailure(port: number): Promise<string | null> {
  const server = createServer();
  try {
    server.listen(port, HOST);
    await once(server, "listening");
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "unknown";
  } finally {
    server.close();
  }
}
