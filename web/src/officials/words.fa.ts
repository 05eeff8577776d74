export const words = {
  officials: {
    title: 'مسئولان',
    add: 'مسئول تازه',
    change: 'تغییر',
    kind: { mayor: 'شهردار', deputy: 'معاونان', district_manager: 'مدیران مناطق', operators: 'اپراتورها' },
    oneKind: { mayor: 'شهردار', deputy: 'معاون', district_manager: 'مدیر منطقه', operators: 'اپراتور' },
    form: {
      kind: 'سمت',
      district: 'منطقه',
      fa: 'نام فارسی',
      en: 'نام انگلیسی',
      clip: 'نام در تلفن',
      clipHelp: 'آنچه تماس‌گیرنده می‌شنود. نامی که اینجا نیست نخست باید به متن‌های گویا افزوده شود.',
      save: 'ثبت',
    },
    heard: (words: string) => `در تلفن: «${words}»`,
    clipMissing: 'متن گویای این نام نیست؛ تماس‌گیرنده آن را نمی‌شنود.',
    inactive: 'غیرفعال',
    deactivate: 'غیرفعال کردن',
    activate: 'فعال کردن',
    deactivateHelp: 'برای مسئول غیرفعال دور تازه‌ای ساخته نمی‌شود؛ دورهای گذشته می‌ماند.',
  },
}
