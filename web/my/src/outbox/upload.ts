import { DetailedError, Upload } from 'tus-js-client'
import { Away, Refusal, refusal } from '../api/ask'

const RETRIES_MS = [0, 1_000, 3_000, 5_000]
/** Nothing has gone for so long: the network is gone, and has not said so. */
const PATIENCE_MS = 60_000

export interface File {
  kind: 'picture' | 'voice'
  data: ArrayBuffer
  /** Where it was sent to before; empty: nowhere yet. */
  upload: string
}

/**
 * Send a file by tus, from where it broke. `begun` is told where it goes, to go on there even if the page is killed.
 * Returns its id; throws Refusal, or Away.
 */
export const uploaded = (file: File, begun: (upload: string) => void): Promise<string> =>
  new Promise((done, failed) => {
    let timer: ReturnType<typeof setTimeout> | undefined
    const goesOn = () => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        void upload.abort()
        failed(new Away('nothing goes'))
      }, PATIENCE_MS)
    }
    const upload = new Upload(new Blob([file.data]), {
      endpoint: `/api/v1/my/uploads?kind=${file.kind}`,
      uploadUrl: file.upload || null,
      retryDelays: RETRIES_MS,
      storeFingerprintForResuming: false, // it is kept with the file
      onProgress: goesOn,
      onUploadUrlAvailable: () => begun(upload.url ?? ''),
      onError: (wrong) => {
        clearTimeout(timer)
        failed(why(wrong))
      },
      onSuccess: () => {
        clearTimeout(timer)
        done((upload.url ?? '').replace(/^.*\//, ''))
      },
    })
    goesOn()
    upload.start()
  })

/** Only what the API itself has said is a no. */
function why(wrong: Error): Error {
  const answer = wrong instanceof DetailedError ? wrong.originalResponse : null
  if (!answer?.getHeader('Content-Type')?.startsWith('application/problem+json')) return new Away(wrong.message)
  const code = coded(answer.getBody())
  return code ? refusal(answer.getStatus(), code, answer.getHeader('Retry-After')) : new Refusal(answer.getStatus(), answer.getStatus() === 401 ? 'not-signed-in' : 'unknown')
}

function coded(body: string): string {
  try {
    return (JSON.parse(body) as { code?: string }).code ?? ''
  } catch {
    return '' // a HEAD has none
  }
}
