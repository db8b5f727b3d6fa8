import { type CallersTask, runCallers } from "./callers-process.ts";
import type { Command } from "./faults.ts";
import { runServer, type ServerTask } from "./server-process.ts";

/** What the parent sends to a child: first its task, then commands. */
export type ActorMessage =
  | { readonly kind: "task"; readonly task: ServerTask | CallersTask }
  | { readonly kind: "command"; readonly id: number; readonly command: Command };

/** What a child answers: id 0 = it is up. */
export interface ActorAnswer {
  readonly id: number;
  readonly error?: string;
}

/** The child's side: does what the parent sends, and ends with it. */
export function runActor(): void {
  let perform: ((command: Command) => Promise<void>) | undefined;
  const answer = (message: ActorAnswer) => process.send?.(message);

  process.on("message", (message: ActorMessage) => {
    void handle(message);
  });
  process.on("disconnect", () => process.exit(0));

  async function handle(message: ActorMessage): Promise<void> {
    const id = message.kind === "task" ? 0 : message.id;
    try {
      if (message.kind === "task") perform = await begin(message.task);
      else await perform?.(message.command);
      answer({ id });
    } catch (thrown) {
      answer({ id, error: String(thrown) });
    }
  }
}

async function begin(task: ServerTask | CallersTask): Promise<(command: Command) => Promise<void>> {
  return task.role === "server" ? runServer(task) : runCallers(task);
}
