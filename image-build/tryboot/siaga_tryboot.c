// SPDX-License-Identifier: GPL-2.0
/*
 * While this module is loaded, a Raspberry Pi's next start is a trial ("tryboot"), once; taken out, it is not.
 *
 * Raspberry Pi's own kernel asks for it in its reboot notifier and offers /dev/vcio; Debian's has neither, but exports
 * the call to the firmware that both make. Not a reboot notifier here either: a flag that the firmware does not take
 * must be an error while somebody still reads it. Untested on hardware.
 */
#include <linux/module.h>
#include <linux/of.h>
#include <soc/bcm2835/raspberrypi-firmware.h>

/* Not in Debian's header. Raspberry Pi's drivers/firmware/raspberrypi.c has them, and its flag 1: tryboot. */
#define GET_REBOOT_FLAGS 0x00030064
#define SET_REBOOT_FLAGS 0x00038064
#define TRYBOOT 1

static struct rpi_firmware *firmware;

static int set_flags(u32 wanted)
{
	u32 flags = wanted;
	int error = rpi_firmware_property(firmware, SET_REBOOT_FLAGS, &flags, sizeof(flags));

	if (error)
		return error;
	flags = ~wanted;
	error = rpi_firmware_property(firmware, GET_REBOOT_FLAGS, &flags, sizeof(flags));
	if (error)
		return error;
	return flags == wanted ? 0 : -EIO;
}

static int __init siaga_tryboot_init(void)
{
	struct device_node *node = rpi_firmware_find_node();
	int error;

	if (!node)
		return -ENODEV;
	firmware = rpi_firmware_get(node);
	of_node_put(node);
	if (!firmware)
		return -ENODEV;
	error = set_flags(TRYBOOT);
	if (error)
		rpi_firmware_put(firmware);
	return error;
}

static void __exit siaga_tryboot_exit(void)
{
	if (set_flags(0))
		pr_err("siaga_tryboot: the firmware keeps the flag; the next start is still a trial\n");
	rpi_firmware_put(firmware);
}

module_init(siaga_tryboot_init);
module_exit(siaga_tryboot_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Asks a Raspberry Pi's firmware for a trial at the next start");
