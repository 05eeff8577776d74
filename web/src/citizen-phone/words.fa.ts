export const words = {
  citizenPhone: {
    title: 'تلفن شهروند',
    off: 'تلفن مرورگری در این سامانه خاموش است.',
    line: 'خط',
    lineOption: (line: string, number: string) => `خط ${line}: ${number}`,
    ownNumber: 'شمارهٔ این تلفن',
    state: {
      disconnected: 'وصل نیست',
      registered: 'آماده',
      calling: 'در حال گرفتن ۱۳۷…',
      ringing: 'از ۱۳۷ تماس می‌گیرند',
      talking: 'در حال گفت‌وگو',
    },
    dial: 'شماره‌گیری ۱۳۷',
    hangUp: 'پایان تماس',
    answer: 'پاسخ',
    reject: 'رد تماس',
    keypad: 'صفحه‌کلید',
    star: 'ستاره',
    hash: 'مربع',
    pressed: 'کلیدهای فشرده',
  },
}
