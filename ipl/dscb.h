/* dscb.h - the labels of a DASD volume as bytes: VOL1, DSCB formats 4, 5, 1, directory blocks.
 *
 * A DSCB is a record with a key of 44 bytes and 96 bytes of data; offsets here count from the data.
 *   VOL1   4 volume serial (6)   11 CCHHR of the format 4 DSCB
 *   F4     0 'F4'  1 CCHHR of the last format 1  6 free DSCBs  14 01  15 extents of the VTOC 01  18 cylinders, tracks
 *          22 track capacity  29 DSCBs a track  30 directory blocks a track  61 extent of the VTOC
 *   F5     key: 4 bytes 05, then extents of 5 (relative track, cylinders, tracks); data: 0 'F5'
 *   F1     key: name. 0 'F1'  1 volume serial  7 volume number  9 creation date (YDD)  15 extents  16 bytes used of the
 *          last directory block  18 system code  38 DSORG  40 RECFM  42 BLKSIZE  44 LRECL  49 indicators
 *          50 secondary allocation  54 last block (TTR)  61 first extent: type, number, CCHH from, CCHH to
 *   directory block: key of 8 (highest name), 256 bytes: 0 bytes used, 2 entries of name (8), TTR (3), indicator (1)
 *          and user data (halfwords in the low five bits); the last entry's name is eight bytes FF
 * Source: DFSMSdfp Advanced Services, "Using the VTOC"; Using Data Sets, "Structure of a PDS".
 */
#ifndef IPL_DSCB_H
#define IPL_DSCB_H

#define DSCB_KEY         44
#define DSCB_DATA        96
#define VOL1_SERIAL      4
#define VOL1_VTOC        11
#define F4_LAST_F1       1
#define F4_FREE          6
#define F4_VTOC_IND      14
#define F4_EXTENTS       15
#define F4_DEVICE_SIZE   18
#define F4_TRACK_BYTES   22
#define F4_DSCBS         29
#define F4_DIR_BLOCKS    30
#define F4_VTOC_EXTENT   61
#define F1_SERIAL        1
#define F1_VOLUME_SEQ    7
#define F1_CREATED       9
#define F1_EXTENTS       15
#define F1_DIR_LAST      16
#define F1_SYSTEM        18
#define F1_DSORG         38
#define F1_RECFM         40
#define F1_BLKSIZE       42
#define F1_LRECL         44
#define F1_INDICATORS    49
#define F1_LAST_BLOCK    54
#define F1_FIRST_EXTENT  61
#define DSORG_PO         0x0200
#define DSORG_PS         0x4000
#define RECFM_FB         0x90
#define RECFM_U          0xC0
#define DSCBS_PER_TRACK  50
#define DIRS_PER_TRACK   45
#define TRACK_CAPACITY   58786
#define DIR_BLOCK        256
#define DIR_ENTRY        12
#define VTOC_TRACK       1
#define FIRST_DATA_TRACK 2

#endif
