import type { EndEvent } from 'jssip/lib/RTCSession'
import type { MicrophoneProblem } from './microphone'

export type PhoneProblem = MicrophoneProblem
  | 'network' | 'lost' | 'refused' | 'busy' | 'rejected' | 'no-answer' | 'failed'

const PROBLEMS: Record<string, PhoneProblem> = {
  'Busy': 'busy',
  'Rejected': 'rejected',
  'No Answer': 'no-answer',
  'Unavailable': 'no-answer',
  'Request Timeout': 'network',
  'Connection Error': 'network',
  'Authentication Error': 'refused',
}

/** Why a call ended; null for a reason that nobody need be told. */
export function problemOf({ originator, cause }: EndEvent): PhoneProblem | null {
  if (cause === 'Terminated' || cause === 'Canceled' || originator as string === 'local') return null
  return PROBLEMS[cause] ?? 'failed'
}
