export interface ProgressDetail {
  readonly current?: number;
  readonly total?: number;
  /** Unit of current and total, when it is not bytes. */
  readonly units?: string;
  readonly hidecounts?: boolean;
}

export interface ErrorDetail {
  readonly code?: number;
  readonly message?: string;
}

/** One object of the streams that pull, push, load, import and build answer with; they end without one in particular. */
export interface ProgressMessage {
  /** Whose progress this is, as a rule a layer's short digest. */
  readonly id?: string;
  readonly status?: string;
  /** Text to print as it is. */
  readonly stream?: string;
  readonly progress?: string;
  readonly progressDetail?: ProgressDetail;
  readonly aux?: unknown;
  readonly error?: string;
  readonly errorDetail?: ErrorDetail;
}
