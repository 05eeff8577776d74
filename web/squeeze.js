// Beside each built file of code the same as small as it gets; api/web.py gives it to browsers that take it.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { brotliCompressSync } from 'node:zlib'

for (const folder of ['dist/assets/', 'dist/my/assets/', 'dist/map/']) {
  for (const name of readdirSync(folder).filter((file) => /-[\w-]{8}\.(js|css)$/.test(file))) {
    writeFileSync(`${folder}${name}.br`, brotliCompressSync(readFileSync(folder + name)))
  }
}
