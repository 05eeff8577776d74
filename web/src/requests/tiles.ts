/** Isfahan's districts roughly as they lie, west to the left: district, column, row. The river runs above the last row. */
export const TILES: [district: number, column: number, row: number][] = [
  [12, 1, 0], [8, 2, 0], [14, 3, 0],
  [11, 0, 1], [2, 1, 1], [7, 2, 1], [10, 3, 1],
  [9, 0, 2], [1, 1, 2], [3, 2, 2], [4, 3, 2], [15, 4, 2],
  [13, 0, 3], [5, 1, 3], [6, 2, 3],
]

/** What a district looks like on the map, whatever its shape, and where a click on it leads. */
export interface Place {
  district: number
  label: string
  href: string
  /** 0 (nothing open) to 4 (as many as anywhere). */
  shade: number
  late: boolean
  open: string
}
